-- trick: another client_encoding
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits
-- send: simple

set client_encoding = 'LATIN1'

select pan, translate(pan, '0', 'é') from cards
