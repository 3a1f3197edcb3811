-- trick: an encoding behind settings for one statement
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set statement max_statement_time = 10 for set names gbk

set statement max_statement_time = 10 for set statement max_statement_time = 10 for set names gbk

select pan from cards
