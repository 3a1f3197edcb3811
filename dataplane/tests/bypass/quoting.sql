-- trick: standard_conforming_strings off
-- expect: denied
-- unlabelled: denied
-- decode: joined

set standard_conforming_strings = off

select '\'' || substr(pan, 1, 8) || '\'', substr(pan, 9) from cards where id = 1
