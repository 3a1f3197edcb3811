-- trick: the sum of two
-- expect: masked
-- unlabelled: out-of-reach
-- decode: minus:5555555555554444

select sum(pan_number) from cards where id in (1, 2)
