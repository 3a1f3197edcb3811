-- trick: a failing row in full
-- expect: held
-- unlabelled: held
-- anything: masked
-- decode: digits

update cards set holder = null where id = 1
