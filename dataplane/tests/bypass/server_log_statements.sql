-- trick: logged parameters to the client
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: binary
-- parameter: 4111111111111111

set client_min_messages = log

set log_min_duration_statement = 0

select $1::text
