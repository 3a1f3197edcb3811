-- trick: how long a computation takes
-- expect: denied
-- unlabelled: denied
-- decode: same

select benchmark(substr(pan, 1, 1) * 1000, md5('x')) from cards where id = 1
