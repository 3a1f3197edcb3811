-- trick: spaces that are none of ASCII, in Latin 1
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: hex-digits digits

set character_set_results = null

select convert(insert(insert(insert(pan, 13, 0, unhex('c2a0')), 9, 0, unhex('c2a0')), 5, 0, unhex('c2a0')) using latin1) from cards
