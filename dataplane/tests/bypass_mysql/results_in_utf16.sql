-- trick: results in UTF-16
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set character_set_results = utf16

select pan from cards
