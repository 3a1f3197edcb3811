-- trick: results in no encoding
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set character_set_results = null

select convert(pan using utf16) from cards
