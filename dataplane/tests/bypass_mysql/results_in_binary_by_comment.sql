-- trick: results in binary by an executable comment
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits

/*M!100100 set character_set_results = binary */

select convert(pan using utf32) from cards
