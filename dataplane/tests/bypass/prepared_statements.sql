-- trick: pg_prepared_statements
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

prepare p as select '4111111111111111'; select statement from pg_prepared_statements
