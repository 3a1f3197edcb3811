-- trick: a space before a parenthesis
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set sql_mode = 'IGNORE_SPACE'

select concat (pan, 'x') from cards
