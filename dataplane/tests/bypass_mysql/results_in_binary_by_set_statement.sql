-- trick: results in binary for one statement
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set statement character_set_results = binary for select convert(pan using utf32) from cards
