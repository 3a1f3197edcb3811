-- trick: far inside a long value
-- expect: masked
-- unlabelled: masked
-- decode: digits

select repeat('x', 300000) || ' ' || pan || ' ' || repeat('y', 300000) from cards where id = 1
