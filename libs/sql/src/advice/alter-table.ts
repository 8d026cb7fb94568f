import type { AlterTableCmd, AlterTableStmt, ColumnDef, Constraint, Node } from 'libpg-query'
import type { CatalogueRelation } from '../server/catalogue.ts'
import { isRecord, nameOfList, stringOf, stringsOf } from '../syntax-tree.ts'
import type { Advice } from './advice.ts'
import { withSql } from './indexes.ts'
import { derivedName, primaryKeyOf, relationNamed, type Known } from './known.ts'
import { mayBeVolatile } from './rows.ts'

/** What each part of ALTER TABLE could be replaced by. */
export const adviseAlterTable = (statement: AlterTableStmt, known: Known): readonly Advice[] => {
  const table = relationNamed(statement.relation, known)
  if (!table || statement.objtype !== 'OBJECT_TABLE') return []
  const commands = (statement.cmds ?? []).flatMap((node) => ('AlterTableCmd' in node ? [node.AlterTableCmd] : []))
  return commands.flatMap((command) => new AlterAdvice(statement, table, known, commands.length === 1).on(command))
}

/** Statements take the place of an ALTER that has one part. What several parts could become is said in words. */
class AlterAdvice {
  private readonly statement: AlterTableStmt
  private readonly table: CatalogueRelation
  private readonly known: Known
  private readonly isAlone: boolean

  constructor(statement: AlterTableStmt, table: CatalogueRelation, known: Known, isAlone: boolean) {
    this.statement = statement
    this.table = table
    this.known = known
    this.isAlone = isAlone
  }

  on(command: AlterTableCmd): readonly Advice[] {
    const { subtype, def, name } = command
    switch (subtype) {
      case 'AT_AddConstraint':
        return def && 'Constraint' in def ? this.addConstraint(def.Constraint) : []
      case 'AT_SetNotNull':
        return this.setNotNull(name ?? '')
      case 'AT_AddColumn':
        return def && 'ColumnDef' in def ? this.addColumn(def.ColumnDef, command) : []
      case 'AT_AlterColumnType':
        return def && 'ColumnDef' in def ? this.alterType(name ?? '', def.ColumnDef) : []
      case 'AT_DropColumn':
        return [DROP_COLUMN]
      case 'AT_SetTableSpace':
      case 'AT_SetAccessMethod':
      case 'AT_SetLogged':
      case 'AT_SetUnLogged':
        return [REWRITES]
      default:
        return []
    }
  }

  private addConstraint(constraint: Constraint): readonly Advice[] {
    const { contype, skip_validation: isLater, indexname } = constraint
    if (contype === 'CONSTR_FOREIGN' || contype === 'CONSTR_CHECK')
      return isLater ? [] : [this.validateLater(constraint)]
    if (contype !== 'CONSTR_PRIMARY' && contype !== 'CONSTR_UNIQUE') return []
    return indexname ? [] : [this.keyByIndex(constraint)]
  }

  /** New rows are checked at once, those that are there are looked through without keeping anybody out. */
  private validateLater(constraint: Constraint): Advice {
    const advice: Advice = {
      code: 'validate-later',
      text: 'add it NOT VALID, which takes a moment, and VALIDATE it behind, which keeps nobody from writing',
    }
    const name = constraint.conname ?? this.constraintName(constraint)
    // Of a partitioned table a foreign key cannot be NOT VALID before version 18.
    if (!this.isAlone || name === undefined || this.table.kind !== 'r') return advice
    const { initially_valid: _, ...rest } = constraint
    const added = this.alter('AT_AddConstraint', {
      def: { Constraint: { ...rest, conname: name, skip_validation: true } },
    })
    return withSql(advice, added, this.alter('AT_ValidateConstraint', { name }))
  }

  /** As the server would name it. */
  private constraintName({ contype, fk_attrs: attributes, raw_expr: check }: Constraint): string | undefined {
    if (contype === 'CONSTR_FOREIGN') return derivedName(this.table.name, ...stringsOf(attributes), 'fkey')
    const columns = [...new Set(columnsIn(check))]
    return derivedName(this.table.name, ...(columns.length === 1 ? columns : []), 'check')
  }

  /** Since version 12 a valid CHECK saves the look through all rows under a lock that keeps everybody out. */
  private setNotNull(column: string): readonly Advice[] {
    const advice: Advice = {
      code: 'not-null-by-check',
      text: 'prove it by a CHECK that is validated behind: then SET NOT NULL need not look through all rows',
    }
    // Not the name that version 18 gives to NOT NULL itself.
    const name = derivedName(this.table.name, column, 'is_set')
    if (!this.isAlone || name === undefined || this.table.kind !== 'r') return [advice]
    const check: Constraint = {
      contype: 'CONSTR_CHECK',
      conname: name,
      is_enforced: true,
      skip_validation: true,
      raw_expr: { NullTest: { arg: columnRef(column), nulltesttype: 'IS_NOT_NULL' } },
    }
    return [
      withSql(
        advice,
        this.alter('AT_AddConstraint', { def: { Constraint: check } }),
        this.alter('AT_ValidateConstraint', { name }),
        this.alter('AT_SetNotNull', { name: column }),
        this.alter('AT_DropConstraint', { name }),
      ),
    ]
  }

  private keyByIndex(constraint: Constraint): Advice {
    const isPrimary = constraint.contype === 'CONSTR_PRIMARY'
    const advice: Advice = {
      code: 'key-by-index',
      text:
        'build its unique index CONCURRENTLY, outside of a transaction block, and make that the constraint' +
        (isPrimary ? '; columns that are not NOT NULL yet are looked through once more: SET NOT NULL before' : ''),
    }
    const keys = stringsOf(constraint.keys)
    const ending = isPrimary ? ['pkey'] : [...keys, 'key']
    const name = constraint.conname ?? derivedName(this.table.name, ...ending)
    const { keys: _, including = [], nulls_not_distinct: nullsNotDistinct, options, indexspace, ...rest } = constraint
    const isPlain = !options && !indexspace && this.table.kind === 'r' && this.statement.relation !== undefined
    if (!this.isAlone || name === undefined || !isPlain) return advice
    const index: Node = {
      IndexStmt: {
        idxname: name,
        relation: this.statement.relation ?? {},
        accessMethod: 'btree',
        indexParams: keys.map(indexElement),
        ...(including.length > 0 && { indexIncludingParams: stringsOf(including).map(indexElement) }),
        unique: true,
        ...(nullsNotDistinct && { nulls_not_distinct: true }),
        concurrent: true,
      },
    }
    return withSql(
      advice,
      index,
      this.alter('AT_AddConstraint', { def: { Constraint: { ...rest, conname: name, indexname: name } } }),
    )
  }

  /** A default that is the same for all rows is kept beside the table; one that is not is written into each of them. */
  private addColumn(column: ColumnDef, command: AlterTableCmd): readonly Advice[] {
    const constraints = (column.constraints ?? []).flatMap((node) => ('Constraint' in node ? [node.Constraint] : []))
    const typeName = stringsOf(column.typeName?.names).at(-1) ?? ''
    const isComputed = constraints.some(
      ({ contype }) => contype === 'CONSTR_IDENTITY' || contype === 'CONSTR_GENERATED',
    )
    if (isComputed || SERIALS.has(typeName)) return [FILLED]
    const filled = constraints.find(
      ({ contype, raw_expr: value }) => contype === 'CONSTR_DEFAULT' && this.varies(value),
    )
    if (!filled) return []
    const others = constraints.filter((constraint) => constraint !== filled)
    return [this.defaultLater(column, filled, others, command)]
  }

  private defaultLater(
    definition: ColumnDef,
    filled: Constraint,
    others: readonly Constraint[],
    command: AlterTableCmd,
  ): Advice {
    const advice: Advice = {
      code: 'default-later',
      text:
        'add the column without its default, set the default for new rows, and fill the old ones in parts until none ' +
        'is left; NOT NULL comes last',
    }
    const { constraints: _, ...column } = definition
    const name = column.colname ?? ''
    const [key, another] = primaryKeyOf(this.table, this.known) ?? []
    const isPlain = this.isAlone && others.length === 0 && this.table.kind === 'r' && !this.table.hasChildren
    if (!isPlain || !filled.raw_expr || key === undefined || another !== undefined) return advice
    return withSql(
      advice,
      this.alter('AT_AddColumn', { ...command, def: { ColumnDef: column } }),
      this.alter('AT_ColumnDefault', { name, def: filled.raw_expr }),
      this.filling(name, key),
    )
  }

  /** To be run until it changes nothing more. */
  private filling(column: string, key: string): Node {
    const relation = this.statement.relation ?? {}
    return {
      UpdateStmt: {
        relation,
        targetList: [{ ResTarget: { name: column, val: { SetToDefault: {} } } }],
        whereClause: {
          SubLink: {
            subLinkType: 'ANY_SUBLINK',
            testexpr: columnRef(key),
            subselect: {
              SelectStmt: {
                targetList: [{ ResTarget: { val: columnRef(key) } }],
                fromClause: [{ RangeVar: relation }],
                whereClause: { NullTest: { arg: columnRef(column), nulltesttype: 'IS_NULL' } },
                sortClause: [
                  {
                    SortBy: {
                      node: columnRef(key),
                      sortby_dir: 'SORTBY_DEFAULT',
                      sortby_nulls: 'SORTBY_NULLS_DEFAULT',
                    },
                  },
                ],
                limitCount: { A_Const: { ival: { ival: 1_000 } } },
                limitOption: 'LIMIT_OPTION_COUNT',
                op: 'SETOP_NONE',
              },
            },
          },
        },
      },
    }
  }

  private varies(expression: unknown): boolean {
    if (Array.isArray(expression)) return expression.some((part) => this.varies(part))
    if (!isRecord(expression)) return false
    const call = expression['FuncCall']
    if (isRecord(call) && mayBeVolatile(call['funcname'], this.known)) return true
    return Object.values(expression).some((part) => this.varies(part))
  }

  private alterType(name: string, { typeName, raw_default: using }: ColumnDef): readonly Advice[] {
    const column = this.known.catalogue.columns.get(this.table.oid)?.find((each) => each.name === name)
    if (!column || (!using && keepsRows(column.typeName, nameOfList(typeName?.names).name, typeName?.typmods)))
      return []
    return [RETYPE]
  }

  private alter(subtype: NonNullable<AlterTableCmd['subtype']>, more: Partial<AlterTableCmd>): Node {
    const command: AlterTableCmd = { behavior: 'DROP_RESTRICT', ...more, subtype }
    return { AlterTableStmt: { ...this.statement, cmds: [{ AlterTableCmd: command }] } }
  }
}

const columnRef = (column: string): Node => ({ ColumnRef: { fields: [{ String: { sval: column } }] } })

const indexElement = (name: string): Node => ({
  IndexElem: { name, ordering: 'SORTBY_DEFAULT', nulls_ordering: 'SORTBY_NULLS_DEFAULT' },
})

const columnsIn = (expression: unknown): readonly string[] => {
  if (Array.isArray(expression)) return expression.flatMap(columnsIn)
  if (!isRecord(expression)) return []
  const reference = expression['ColumnRef']
  if (!isRecord(reference)) return Object.values(expression).flatMap(columnsIn)
  const fields = Array.isArray(reference['fields']) ? (reference['fields'] as Node[]) : []
  return [stringOf(fields.at(-1)) ?? '']
}

const SERIALS = new Set(['serial', 'bigserial', 'smallserial', 'serial2', 'serial4', 'serial8'])

/**
 * Where the stored rows fit the new type as they are: text without a limit, whatever it was limited to before. What
 * else the server may be able to keep is not known here, and is advised against in vain rather than not at all.
 */
const keepsRows = (before: string, after: string, modifiers: readonly Node[] | undefined): boolean =>
  TEXTS.has(typeOnly(before)) && TEXTS.has(after) && (modifiers ?? []).length === 0

const TEXTS = new Set(['text', 'varchar', 'character varying'])

const typeOnly = (name: string): string => name.replace(/\(.*\)$/, '')

const DROP_COLUMN: Advice = {
  code: 'expand-and-contract',
  text:
    'stop reading and writing the column everywhere, then drop it when nobody has missed it: with it go its indexes, ' +
    'and clients that still name it fail',
}

const RETYPE: Advice = {
  code: 'type-rewrite',
  text:
    'unless the server can keep the rows as they are, it writes the table and its indexes anew and keeps everybody ' +
    'out: add a column of the new type, keep both the same by a trigger, fill it in parts, and then swap their names',
}

const FILLED: Advice = {
  code: 'column-rewrite',
  text:
    'every row gets a value of its own, so the table is written anew and everybody is kept out: add the column ' +
    'without, fill it in parts, and attach the sequence or the default then',
}

const REWRITES: Advice = {
  code: 'rewrite-online',
  text: 'it keeps everybody out of the table while it writes it anew: pg_repack, or a new table, lets others go on',
}
