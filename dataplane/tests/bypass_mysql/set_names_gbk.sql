-- trick: an encoding in which bytes hide quotes
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set names gbk

select pan from cards
