-- trick: SHOW PROFILES
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

set profiling = 1

select '4111111111111111'

show profiles
