-- trick: pipes that join
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: digits

set sql_mode = 'PIPES_AS_CONCAT'

select substr(pan, 1, 8) || 'x' || substr(pan, 9) from cards
