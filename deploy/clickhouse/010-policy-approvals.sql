-- A change of policies is an approval too.
ALTER TABLE approvals COMMENT COLUMN kind 'What is to be approved: `statement`, or `policy` for a change of policies, which has no statement, session or database';
