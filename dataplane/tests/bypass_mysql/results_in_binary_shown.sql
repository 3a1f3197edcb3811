-- trick: what SHOW tells, in UTF-16
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: hex-digits digits
-- direct: fails

set @@character_set_results = binary

show variables where variable_name = 'version' and (select @a := convert(pan using utf16) from cards limit 1) is not null

show full processlist
