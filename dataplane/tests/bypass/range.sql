-- trick: a bound of a range
-- expect: masked
-- unlabelled: masked
-- decode: digits

select int8range(pan_number, null), numrange(null, pan::numeric, '[]') from cards
