-- trick: the server's log to the client
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

set client_min_messages = debug5

select '4111111111111111', pan from cards where pan = '4111111111111111'
