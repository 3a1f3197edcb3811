-- trick: full-width digits in Shift-JIS
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: hex-digits digits
-- direct: fails

set character_set_results = null

select convert(replace(replace(pan, '4', '４'), '1', '１') using sjis) from cards where id = 1
