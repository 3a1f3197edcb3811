-- trick: parse trees to the client
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

set client_min_messages = log

set debug_print_plan = on

select pan, '4111111111111111' from cards where pan = '4111111111111111'
