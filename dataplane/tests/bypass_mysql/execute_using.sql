-- trick: a prepared statement's parameters
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- send: simple
-- direct: fails

prepare p from 'select ?'

execute p using (select pan from cards where id = 1)
