-- trick: the session's clock
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: same

set timestamp = (select pan_number % 1000000000 from cards where id = 1)

select now()
