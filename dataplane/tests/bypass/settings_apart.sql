-- trick: a setting of halves
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

select set_config('my.a', substr(pan, 1, 8), false) is null, set_config('my.b', substr(pan, 9), false) is null from cards where id = 1

show my.a

show my.b
