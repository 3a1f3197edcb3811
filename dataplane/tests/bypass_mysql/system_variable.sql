-- trick: a variable of the server for text
-- expect: denied
-- unlabelled: denied
-- decode: digits

set session init_connect = ''

set session optimizer_trace = concat('enabled=', (select pan from cards where id = 1))
