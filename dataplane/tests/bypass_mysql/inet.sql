-- trick: a network address
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select inet_ntoa(left(pan, 8)), inet_ntoa(substr(pan, 9)) from cards
