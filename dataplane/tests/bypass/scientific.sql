-- trick: in scientific notation
-- expect: masked
-- unlabelled: masked
-- decode: digits

select to_char(pan::numeric, '9.999999999999999EEEE') from cards
