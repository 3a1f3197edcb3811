-- trick: client_encoding by set_config
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

select set_config('client_encoding', 'SJIS', false), pan from cards

select pan from cards
