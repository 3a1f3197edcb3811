-- trick: an error that shows it backwards
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select (reverse(pan) || 'x')::int from cards where id = 1
