-- trick: results in binary by a prepared statement
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits
-- send: simple

prepare p from 'set character_set_results = binary'

execute p

select convert(pan using utf32) from cards
