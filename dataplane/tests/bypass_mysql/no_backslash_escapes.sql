-- trick: backslashes that escape nothing
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: joined

set sql_mode = 'NO_BACKSLASH_ESCAPES'

select '\' , substr(pan, 1, 8), substr(pan, 9) from cards where id = 1 -- '
