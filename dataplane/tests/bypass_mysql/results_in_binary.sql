-- trick: results in characters that nothing tells
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set character_set_results = binary

select convert(pan using utf16) from cards
