-- trick: PREPARE and EXECUTE
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

prepare p from 'select pan from cards'

execute p
