-- trick: PREPARE and EXECUTE
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

prepare p as select pan from cards

execute p
