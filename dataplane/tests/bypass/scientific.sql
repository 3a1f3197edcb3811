-- trick: in scientific notation
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select to_char(pan::numeric, '9.999999999999999EEEE') from cards
