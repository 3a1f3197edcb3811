-- trick: a long network address
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select inet6_ntoa(unhex(lpad(pan, 32, '0'))) from cards where id = 1
