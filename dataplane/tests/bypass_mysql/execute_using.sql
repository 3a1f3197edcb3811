-- trick: a prepared statement's parameters
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple
-- direct: fails

prepare p from 'select ?'

execute p using (select pan from cards where id = 1)
