-- trick: a number that is no process
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

kill 4111111111111111
