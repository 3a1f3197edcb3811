-- trick: quotient and remainder
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select pan_number div 100000000, pan_number % 100000000 from cards where id = 1
