-- trick: PREPARE and EXECUTE
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

prepare p as select pan from cards

execute p
