-- trick: PREPARE and EXECUTE
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

prepare p from 'select pan from cards'

execute p
