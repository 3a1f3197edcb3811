-- trick: SET STATEMENT before it
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

set statement max_statement_time = 10 for select pan from cards
