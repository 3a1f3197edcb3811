-- trick: several settings at once, the last of which counts
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set character_set_results = utf8mb4, character_set_results = null

select convert(pan using utf32) from cards
