-- trick: a harmless mode for one statement
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

set statement sql_mode = 'STRICT_ALL_TABLES', max_statement_time = 10 for select pan, 4 from cards
