-- trick: a mode for one statement
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits
-- direct: fails

set statement sql_mode = 'ANSI_QUOTES' for select "pan" from cards
