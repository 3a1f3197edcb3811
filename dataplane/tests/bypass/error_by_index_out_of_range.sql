-- trick: errors that show halves without quotes
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select get_byte('a', substr(pan, 1, 8)::int) from cards where id = 1

select get_byte('a', substr(pan, 9)::int) from cards where id = 1
