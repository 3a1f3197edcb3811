-- trick: a comment that makes a query look like SHOW
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

set character_set_results = binary

/*!99999 show */ select convert(pan using utf16) from cards
