-- trick: double quotes for names
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set sql_mode = 'ANSI_QUOTES'

select "pan" from cards
