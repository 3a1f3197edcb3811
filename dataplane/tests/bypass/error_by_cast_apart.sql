-- trick: errors that show halves
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select (substr(pan, 1, 8) || 'x')::int from cards where id = 1

select (substr(pan, 9) || 'x')::int from cards where id = 1
