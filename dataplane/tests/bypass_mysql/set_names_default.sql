-- trick: the target's default encoding, and a statement behind
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set names default; select pan from cards
