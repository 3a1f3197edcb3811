-- trick: answers in UTF-16 behind settings for one statement
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set statement max_statement_time = 10 for set character_set_results = binary

select convert(pan using utf16) from cards
